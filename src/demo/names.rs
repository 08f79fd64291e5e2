//! Made-up names. Style from `maps/data/compound-name-seeds.csv`; no compound, works or person is meant.

use std::collections::HashSet;

use super::dice::Dice;
use super::estate::Era;
use super::layout::Setting;

const STEMS: [&str; 72] = [
    "锦绣", "阳光", "和润", "瑞景", "嘉禾", "翠微", "春晓", "云锦", "兰亭", "清河", "祥和", "永泰", "金穗", "银杏",
    "梧桐", "听涛", "望岳", "怡景", "康宁", "福泽", "盛和", "明珠", "紫薇", "丹枫", "碧桐", "晨曦", "星河", "月华",
    "松鹤", "竹韵", "荷塘", "梅园", "榆林", "槐荫", "柳岸", "杏林", "桃源", "枫桥", "龙泉", "凤鸣", "麒麟", "鹿鸣",
    "鹤翔", "雁南", "天合", "地泰", "人和", "博雅", "文华", "书香", "翰林", "墨香", "德馨", "崇文", "尚义", "仁爱",
    "礼乐", "智远", "信达", "安澜", "宁远", "平川", "泰和", "顺景", "丰禾", "裕华", "昌盛", "隆兴", "鸿运", "恒泰",
    "久安", "长乐",
];
const WALK_UP_KINDS: [&str; 7] = ["小区", "家园", "花园", "苑", "新居", "佳苑", "雅苑"];
const LIFT_KINDS: [&str; 8] = ["花园", "家园", "苑", "湾", "华庭", "名苑", "雅居", "嘉园"];
const VILLAGE_KINDS: [&str; 4] = ["新村", "新居", "家园", "小区"];
const WORKS: [&str; 18] = [
    "机械厂",
    "纺织厂",
    "水泥厂",
    "化肥厂",
    "轴承厂",
    "印刷厂",
    "面粉厂",
    "农机厂",
    "矿机厂",
    "建筑公司",
    "运输公司",
    "粮食局",
    "供销社",
    "水利局",
    "林业站",
    "电力公司",
    "医药公司",
    "地质队",
];
const WORKS_KINDS: [&str; 4] = ["家属楼", "住宅楼", "家属院", "居民区"];
const PARTS: [&str; 6] = ["北区", "南区", "东区", "西区", "一期", "二期"];
/// Draws before a name is made unique by a number.
const DRAWS_MAX: usize = 12;

/// A compound's name that `taken` (the names of its street) does not hold yet; it holds it after.
pub fn compound(dice: &mut Dice, setting: Setting, era: Era, taken: &mut HashSet<String>) -> String {
    let mut name = draw(dice, setting, era);
    for _ in 0..DRAWS_MAX {
        if taken.insert(name.clone()) {
            return name;
        }
        // A big estate is split into parts: 北区, 南区.
        let part = format!("{name}{}", dice.pick(&PARTS));
        if taken.insert(part.clone()) {
            return part;
        }
        name = draw(dice, setting, era);
    }
    let numbered = (2..=taken.len() + 2).map(|no| format!("{name}{no}号院")).find(|name| taken.insert(name.clone()));
    numbered.unwrap_or(name)
}

fn draw(dice: &mut Dice, setting: Setting, era: Era) -> String {
    let stem = *dice.pick(&STEMS);
    match (era, setting) {
        (Era::Works, _) => format!("{stem}{}{}", dice.pick(&WORKS), dice.pick(&WORKS_KINDS)),
        (_, Setting::Village) => format!("{stem}{}", dice.pick(&VILLAGE_KINDS)),
        (Era::WalkUp, _) => format!("{stem}{}", dice.pick(&WALK_UP_KINDS)),
        (Era::MidRise | Era::HighRise, _) => format!("{stem}{}", dice.pick(&LIFT_KINDS)),
    }
}

const SURNAMES: [&str; 60] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
    "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓", "许", "傅", "沈", "曾",
    "彭", "吕", "苏", "卢", "蒋", "蔡", "贾", "丁", "魏", "薛", "叶", "阎", "余", "潘", "杜", "戴", "夏", "钟", "汪",
    "田", "任", "姜",
];
const GIVEN: [&str; 64] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞", "平",
    "刚", "华", "梅", "红", "玲", "英", "建", "国", "文", "志", "海", "春", "秀", "玉", "兰", "桂", "凤", "云", "晓",
    "小", "俊", "峰", "鹏", "飞", "宇", "浩", "然", "子", "欣", "雨", "佳", "慧", "琳", "婷", "雪", "林", "森", "福",
    "贵", "全", "保", "庆", "永", "新", "成",
];

/// A person's name.
pub fn person(dice: &mut Dice) -> String {
    let (surname, first) = (dice.pick(&SURNAMES), dice.pick(&GIVEN));
    if dice.percent(75) { format!("{surname}{first}{}", dice.pick(&GIVEN)) } else { format!("{surname}{first}") }
}

/// A phone that nobody has and nobody can be given: 11 digits as people expect, but from `000`. In China `00` dials abroad, and no
/// country's code starts with 0 (E.164), so it rings nowhere; and anybody can see that it is not real.
pub fn phone(number: usize) -> String {
    format!("000{:08}", number % 100_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_however_many() {
        let (mut dice, mut taken) = (Dice::new(2), HashSet::new());
        let names: Vec<_> =
            (0..3_000).map(|_| compound(&mut dice, Setting::Village, Era::WalkUp, &mut taken)).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert_eq!(taken.len(), names.len());
    }

    #[test]
    fn no_compound_from_the_news_can_be_named() {
        let seeds = include_str!("../../maps/data/compound-name-seeds.csv");
        let real: Vec<_> = seeds.lines().filter(|row| row.contains("compound_in_news")).collect();
        assert_eq!(real.len(), 8);
        for name in real.iter().filter_map(|row| row.split(',').next()) {
            assert!(!STEMS.iter().any(|stem| name.starts_with(stem)), "{name}");
        }
    }

    #[test]
    fn a_phone_is_evidently_not_one() {
        assert_eq!(phone(42), "00000000042");
        assert_eq!(phone(46_000).len(), 11);
    }
}
